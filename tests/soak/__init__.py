"""The long figures: fuzzing by coverage, and inputs of megabytes."""
