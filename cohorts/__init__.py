"""Who is measured: released ECG cohorts as harmonised recordings and labels."""
