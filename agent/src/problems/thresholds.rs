//! How long something lasts before it is a problem, in milliseconds: most of what looks wrong for a moment is a cluster at work.

pub const SECOND_MS: i64 = 1_000;
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A pod that no node takes: most find one at once, others when the autoscaler has brought one.
pub const UNSCHEDULED_MS: i64 = MINUTE_MS;

/// A pod with gates, which something else is to open.
pub const GATED_MS: i64 = 10 * MINUTE_MS;

/// A pod with a node whose containers can't be made for a reason that is told: volumes that attach slowly are mounted by then.
pub const NOT_MOUNTED_MS: i64 = MINUTE_MS;

/// The same without a told reason: large images are pulled by then.
pub const NOT_CREATED_MS: i64 = 10 * MINUTE_MS;

/// A pod that runs and is not ready, or has too few like it.
pub const UNREADY_MS: i64 = 2 * MINUTE_MS;

/// A container that was restarted as often as [`RESTARTS`], the last time no longer ago than this, is in a loop: the kubelet
/// pauses for five minutes at most, and then the container runs for a while.
pub const RESTARTED_MS: i64 = 10 * MINUTE_MS;
pub const RESTARTS: i64 = 3;

/// That a container ran out of memory is told for so long after it.
pub const OUT_OF_MEMORY_MS: i64 = HOUR_MS;

/// An event that was not seen again for so long tells of the past: controllers and kubelets try again at least every
/// quarter of an hour.
pub const EVENT_MS: i64 = 20 * MINUTE_MS;

/// A pod that failed is told of for so long; nothing deletes it, and what ran in its place is what matters.
pub const FAILED_POD_MS: i64 = DAY_MS;

/// What is being deleted and does not go, beyond the grace that it has.
pub const DELETION_MS: i64 = 5 * MINUTE_MS;

/// A claim that has no volume: provisioners need seconds, some a minute or two.
pub const CLAIM_MS: i64 = MINUTE_MS;

/// The same where an outside provisioner was asked and says nothing.
pub const PROVISIONER_MS: i64 = 5 * MINUTE_MS;

/// A node that takes no new pods: upgrades cordon each for minutes.
pub const CORDONED_MS: i64 = 6 * HOUR_MS;

/// A service that was just made may be there before its pods.
pub const NEW_SERVICE_MS: i64 = 2 * MINUTE_MS;

/// What others are to bring into being in the same breath: what an ingress names, or a webhook.
pub const NEW_REFERENCE_MS: i64 = MINUTE_MS;

/// An autoscaler that could not go higher for so long is no peak any more.
pub const AT_MAXIMUM_MS: i64 = 15 * MINUTE_MS;

/// An autoscaler without metrics: those of a new pod come after a minute or two.
pub const NO_METRICS_MS: i64 = 3 * MINUTE_MS;

/// A budget without a disruption to spare: one pod that moves leaves it so for a while.
pub const BLOCKED_MS: i64 = 2 * MINUTE_MS;

/// A cron job that is suspended and last ran so long ago.
pub const SUSPENDED_MS: i64 = 7 * DAY_MS;

/// A run that is late by more was missed.
pub const MISSED_MS: i64 = 10 * MINUTE_MS;

/// Jobs of a cron job at once, from which on they pile up.
pub const PILED_UP: usize = 3;

/// A certificate that expires within this time is told of, …
pub const EXPIRES_SOON_MS: i64 = 21 * DAY_MS;

/// … and is no matter of weeks any more within this.
pub const EXPIRES_NOW_MS: i64 = 3 * DAY_MS;

/// An object whose controller says that it is not ready yet.
pub const NOT_ISSUED_MS: i64 = 5 * MINUTE_MS;

/// Hundredths of a quota from which on it is nearly used up.
pub const NEARLY_FULL_PERCENT: i128 = 90;
