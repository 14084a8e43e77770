//! Contexts that lead to simulated API servers, as kubeconfigs describe them.

mod certificates;
mod ground;
mod plugins;
