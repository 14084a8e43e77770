//! What the cluster serves: its groups, versions and kinds.
