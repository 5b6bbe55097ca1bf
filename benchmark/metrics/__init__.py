"""Metrics: plain functions of labels and scores, with intervals from patients drawn with replacement."""
