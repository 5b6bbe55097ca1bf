"""Result records, predictions and run folders: made, saved, handed in and checked."""
