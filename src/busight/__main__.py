"""``python -m busight``."""

from busight.cli.app import main

if __name__ == "__main__":
    main()
