"""Training of YOLO, from a model, a Darknet cfg or an image classifier."""
