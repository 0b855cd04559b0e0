"""Training of the methods before YOLO: localisation, sliding windows and the R-CNN family."""
