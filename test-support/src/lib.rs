//! What the tests of several crates need, written once: an agent made by hand ([`agent`]) and how any such agent holds the
//! conversation with its gateway ([`control`]), ways to break the network between both ([`proxy`]) and to stand in it as
//! companies have it ([`connect_proxy`], [`ingress`], [`pki`]), counters of what is under way ([`counter`]), kinds as discovery
//! describes them ([`kind`]), heads of answers ([`list`]), and the reading of example files as manuals ([`example`]).
//!
//! Only tests depend on it. It stands on the protocol and on the link below both ends, beside axum and tokio, and on neither
//! the agent nor the gateway: so the tests of either can use it.

pub mod agent;
pub mod connect_proxy;
pub mod control;
pub mod counter;
pub mod example;
pub mod ingress;
pub mod kind;
pub mod list;
pub mod pki;
pub mod proxy;
