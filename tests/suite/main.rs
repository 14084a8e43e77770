//! The suite over the whole: the same questions to simulated clusters and to real API servers.
