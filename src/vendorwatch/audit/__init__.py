"""What was done to an engagement, by whom and when: only ever added to, each entry chained to the last."""
