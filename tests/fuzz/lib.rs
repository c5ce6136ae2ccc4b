//! Nothing: the targets in `targets` are programs of their own.
