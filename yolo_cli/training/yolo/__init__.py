"""YOLO: start from a model, a Darknet cfg or a classifier, and train all of it."""
