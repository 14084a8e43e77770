//! How reading a container went, in words.

use kubeplex_link::reason;
use kubeplex_proto::log::LogOver;

use crate::api::ApiError;
use crate::logs::Reading;

/// Why a log is not there, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shortfall {
    message: String,
    /// There is something that was not read.
    is_unread: bool,
}

impl Shortfall {
    /// Nothing is missing: there is no such log.
    pub(super) fn none(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_unread: false }
    }

    pub(super) fn unread(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_unread: true }
    }

    /// The words of the API server and the kubelet are those of `validateContainerLogStatus` and `findContainerIDByName`.
    pub(super) fn of_error(error: &ApiError) -> Self {
        match error {
            ApiError::Invalid { message, .. } if message.contains("previous terminated container") => {
                Self::none("it has not restarted: there is no log of an earlier run")
            }
            ApiError::Invalid { message, .. } => match waiting(message) {
                Some(why) => Self::none(format!("it has not started: {why}")),
                None => Self::unread(message.clone()),
            },
            ApiError::NotFound { .. } => Self::none("the pod is gone"),
            error => Self::unread(reason(error)),
        }
    }

    pub(super) fn late(reading: &Reading) -> Self {
        let read = reading.latest_ns().and_then(|ns| jiff::Timestamp::from_nanosecond(ns.into()).ok());
        Self::unread(match read {
            Some(at) => format!("not read to its end in time, only up to {at:.0}"),
            None => "nothing of it was read in time".to_owned(),
        })
    }

    pub(super) fn told(self, id: u32) -> LogOver {
        LogOver { id, message: Some(self.message), unread: self.is_unread, ..LogOver::default() }
    }
}

/// `container "main" in pod "x" is waiting to start: ContainerCreating` → the reason.
fn waiting(message: &str) -> Option<&str> {
    if let Some((_, why)) = message.split_once(" is waiting to start") {
        return Some(why.trim_start_matches([':', ' ', '-']));
    }
    message.ends_with(" is not available").then_some("its node has not told of it yet")
}

/// What is told when a container was read.
pub(super) fn over(id: u32, reading: &Reading, shortfall: Option<Shortfall>) -> LogOver {
    let told = shortfall.map_or(LogOver { id, ..LogOver::default() }, |shortfall| shortfall.told(id));
    LogOver { matched: reading.matched(), dropped: reading.dropped(), shortened: reading.shortened(), ..told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_fault_of_anybody_is_said_plainly() {
        let invalid = |message: &str| ApiError::Invalid { status: 400, message: message.to_owned() };
        for (error, message, is_unread) in [
            (
                invalid(r#"previous terminated container "main" in pod "cart-0" not found"#),
                "it has not restarted: there is no log of an earlier run",
                false,
            ),
            (
                invalid(r#"container "main" in pod "cart-0" is waiting to start: ContainerCreating"#),
                "it has not started: ContainerCreating",
                false,
            ),
            (
                invalid(
                    r#"container "main" in pod "cart-0" is waiting to start: trying and failing to pull image"#,
                ),
                "it has not started: trying and failing to pull image",
                false,
            ),
            (ApiError::NotFound { message: String::new(), path: false }, "the pod is gone", false),
            (invalid("something else"), "something else", true),
            (
                ApiError::Server { status: 500, message: "dial tcp: refused".into(), retry_after: None },
                "the API server failed (500): dial tcp: refused",
                true,
            ),
        ] {
            assert_eq!(Shortfall::of_error(&error), Shortfall { message: message.to_owned(), is_unread });
        }
    }
}
