"""The check of the module itself: two versions, the same inputs, nothing may differ."""
