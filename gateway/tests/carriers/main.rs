//! What every carrier must do alike, run over each of them; and what a link over the network must do besides.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod direct;
mod floods;
mod links;
mod peer;
mod pki;
mod proxies;
mod replies;
mod revoked;
mod rig;
mod saturation;

/// Runs each case over every carrier, within a generous time.
macro_rules! over_every_carrier {
    ($($case:path as $name:ident),* $(,)?) => {
        mod in_process {
            $(#[tokio::test]
            async fn $name() {
                crate::rig::within(async { $case(crate::rig::Rig::in_process().await).await }).await;
            })*
        }
        mod web_socket {
            $(#[tokio::test]
            async fn $name() {
                crate::rig::within(async { $case(crate::rig::Rig::web_socket().await).await }).await;
            })*
        }
        mod web_socket_over_tls {
            $(#[tokio::test]
            async fn $name() {
                crate::rig::within(async { $case(crate::rig::Rig::web_socket_over_tls().await).await }).await;
            })*
        }
        mod direct_in_plain {
            $(#[tokio::test]
            async fn $name() {
                crate::rig::within(async { $case(crate::rig::Rig::direct().await).await }).await;
            })*
        }
        mod direct_over_tls {
            $(#[tokio::test]
            async fn $name() {
                crate::rig::within(async { $case(crate::rig::Rig::direct_over_tls().await).await }).await;
            })*
        }
    };
}

over_every_carrier! {
    crate::replies::frames_arrive_in_order as frames_arrive_in_order,
    crate::replies::a_refusal_keeps_its_words as a_refusal_keeps_its_words,
    crate::replies::a_status_without_words_is_quoted as a_status_without_words_is_quoted,
    crate::replies::garbage_is_an_error as garbage_is_an_error,
    crate::replies::an_endless_frame_is_cut_off as an_endless_frame_is_cut_off,
    crate::replies::a_reply_that_breaks_is_not_taken_for_complete as a_reply_that_breaks_is_not_taken_for_complete,
    crate::replies::dropping_a_reply_ends_its_handler as dropping_a_reply_ends_its_handler,
    crate::replies::dropping_a_call_ends_its_handler as dropping_a_call_ends_its_handler,
    crate::replies::a_panic_costs_one_call as a_panic_costs_one_call,
    crate::replies::reports_reach_the_registry as reports_reach_the_registry,
    crate::saturation::unread_replies_and_cancellations_leave_the_link_alone
        as unread_replies_and_cancellations_leave_the_link_alone,
    crate::saturation::a_link_full_of_unread_replies_still_carries_heartbeats_and_calls
        as a_link_full_of_unread_replies_still_carries_heartbeats_and_calls,
}
