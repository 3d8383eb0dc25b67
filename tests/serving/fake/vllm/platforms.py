import os


class current_platform:  # noqa: N801
    @staticmethod
    def is_cpu() -> bool:
        return os.environ.get("FAKE_PLATFORM", "cpu") == "cpu"
