//! Text: no domain, no terminal.
