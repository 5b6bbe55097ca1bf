"""The residual network for recordings that the PTB-XL benchmark calls resnet1d_wang."""
