//! The proxy that stands between each agent of a rig and its gateway.

pub(crate) use kubeplex_test_support::proxy::Proxy;
