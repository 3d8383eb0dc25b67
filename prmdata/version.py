"""The version. It stands alone, so that nothing has to import the package's face to know it."""

VERSION = "0.1.0"
