"""Mail: who gets a scorecard or a notice, what it says, and that it arrives."""
