"""What each panel ought to show, computed from the diary alone: one file a dashboard, panel id → its ``Expected``."""
