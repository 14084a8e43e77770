//! What stands between the gateway and a cluster, in the words that every answer has for it.

use kubeplex_proto::duration::human_duration;
use kubeplex_proto::status::LegStatus;

use crate::escape::one_line;

use super::{ClusterView, LinkState, SideBySide};

/// Why nothing current can be had from a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) status: LegStatus,
    /// Without a full stop and without the cluster's name.
    pub(crate) message: String,
    pub(crate) since_ms: Option<u64>,
}

impl Trouble {
    /// A link that has been in this state for so long; `None` while it is usable. `problem` is why no agent could be
    /// started, `no_link` why the latest attempt at a link came to nothing, where that is known.
    pub(crate) fn of_link(link: LinkState, since_ms: u64, problem: &str, no_link: &str) -> Option<Self> {
        let since = human_duration(i64::try_from(since_ms).unwrap_or(i64::MAX));
        let tried = if no_link.is_empty() { String::new() } else { format!(" ({})", one_line(no_link)) };
        let message = match link {
            LinkState::Connected | LinkState::Suspect => return None,
            LinkState::Lost => format!("no link for {since}{tried}"),
            LinkState::Never if !problem.is_empty() => format!("no agent could be started: {problem}"),
            LinkState::Never => {
                format!("its agent has not linked in the {since} since this gateway expects it{tried}")
            }
        };
        Some(Self { status: LegStatus::Disconnected, message, since_ms: Some(since_ms) })
    }
}

impl ClusterView {
    /// What its link says against sending it a request.
    pub(crate) fn link_trouble(&self) -> Option<Trouble> {
        Trouble::of_link(self.link, self.link_since_ms, &self.report.api_problem, &self.no_link)
    }

    /// The same, or what stands between its agent and its API server, as the agent says it itself.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.link_trouble().or_else(|| {
            let problem = &self.report.api_problem;
            let known = !self.report.kubernetes_version.is_empty();
            let status = if known { LegStatus::Stale } else { LegStatus::Error };
            (!problem.is_empty()).then(|| Trouble { status, message: problem.clone(), since_ms: None })
        })
    }

    /// What a person should know of the cluster: what its agent says against its API server, and whether there is an agent
    /// too many. Empty while all is well.
    pub(crate) fn problem(&self) -> String {
        let rival = self.standby.as_ref().filter(|standby| standby.side_by_side == SideBySide::Rivals);
        let rival = rival.map(|rival| {
            let serving =
                self.instance.as_ref().map_or("none that has reported", |instance| instance.0.as_str());
            format!(
                "two agents show this cluster's token: {serving} serves, {} stands by; stop one of them",
                rival.instance.0
            )
        });
        let api = Some(self.report.api_problem.clone()).filter(|problem| !problem.is_empty());
        api.into_iter().chain(rival).collect::<Vec<_>>().join("; ")
    }

    /// Why it is not known which kinds it serves; `None` where that is known.
    pub(crate) fn kinds_trouble(&self) -> Option<String> {
        let still_looking = || "its agent is still finding out what it serves".to_owned();
        let why = || self.trouble().map_or_else(still_looking, |trouble| trouble.message);
        self.kinds.is_none().then(why)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kubeplex_proto::ids::InstanceId;

    use super::*;
    use crate::fleet::Standby;
    use crate::request::fixtures::{cluster, lost};

    fn with_problem(mut view: ClusterView, problem: &str) -> ClusterView {
        Arc::make_mut(&mut view.report).api_problem = problem.to_owned();
        view
    }

    #[test]
    fn two_agents_that_stay_are_a_problem_and_a_handover_is_none() {
        let mut view = with_problem(cluster("a", &[]), "refused");
        let instance = |name: &str| InstanceId(name.to_owned());
        view.instance = Some(instance("one"));
        for (side_by_side, problem) in [
            (SideBySide::Handover, "refused"),
            (
                SideBySide::Rivals,
                "refused; two agents show this cluster's token: one serves, two stands by; stop one of them",
            ),
        ] {
            view.standby = Some(Standby { instance: instance("two"), side_by_side });
            assert_eq!(view.problem(), problem);
        }
        assert_eq!(cluster("a", &[]).problem(), "");
    }

    #[test]
    fn the_nearest_trouble_is_the_one_that_is_said() {
        let mut never = lost("a");
        never.link = LinkState::Never;
        let mut unheard = cluster("a", &[]);
        Arc::make_mut(&mut unheard.report).kubernetes_version.clear();
        let refused =
            |view: &ClusterView| ClusterView { no_link: "its token\nis wrong".into(), ..view.clone() };
        for (view, status, message) in [
            (lost("a"), LegStatus::Disconnected, "no link for 4m"),
            (refused(&lost("a")), LegStatus::Disconnected, "no link for 4m (its token\\nis wrong)"),
            (
                refused(&never),
                LegStatus::Disconnected,
                "its agent has not linked in the 4m since this gateway expects it (its token\\nis wrong)",
            ),
            (with_problem(lost("a"), "refused"), LegStatus::Disconnected, "no link for 4m"),
            (
                never.clone(),
                LegStatus::Disconnected,
                "its agent has not linked in the 4m since this gateway expects it",
            ),
            (
                with_problem(never, "no such file"),
                LegStatus::Disconnected,
                "no agent could be started: no such file",
            ),
            (with_problem(cluster("a", &[]), "refused"), LegStatus::Stale, "refused"),
            (with_problem(unheard, "refused"), LegStatus::Error, "refused"),
        ] {
            let trouble = view.trouble().unwrap();
            assert_eq!((trouble.status, trouble.message.as_str()), (status, message));
        }
        assert_eq!(refused(&cluster("a", &[])).trouble(), None, "it is linked");
    }
}
