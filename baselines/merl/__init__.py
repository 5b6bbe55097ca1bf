"""MERL: a ResNet-18 pre-trained on pairs of recordings and reports of MIMIC-IV-ECG."""
