"""``python -m busight``."""

from busight.cli.start import main

if __name__ == "__main__":
    main()
