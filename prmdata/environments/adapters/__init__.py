"""Environments of other packages in the one-page protocol: functions for processes of their own."""
