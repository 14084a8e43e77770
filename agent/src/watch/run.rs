//! Which watches feed a kind: one for the whole cluster, or, where that is refused, one a namespace.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kubeplex_proto::kind::{KindInfo, Scope};
use tokio::time::sleep;

use super::context::WatchContext;
use super::driver::{Ended, feed};
use super::feed::Feed;
use super::handle::KindHandle;
use super::rights::{Place, Right, Verb};
use super::step::OnRefusal;
use super::timings::spread;
use crate::cache::{Part, Types, is_secrets};
use crate::secrets::Told;

/// Why the watches of a kind ended by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The store can't be brought up to date; a new one has to be filled.
    Rebuild,
    /// A blocking thread panicked, or the runtime is going down.
    Broken,
}

/// Keeps `handle` current until the future is dropped, or it can't any more.
pub(crate) async fn run(context: WatchContext, handle: Arc<KindHandle>) -> Exit {
    let namespaces = namespaces(&context, &handle.info);
    let on_refusal = if namespaces.is_empty() { OnRefusal::Settle } else { OnRefusal::GiveUp };
    let types = types(&context, &handle.info);
    let whole =
        handle.divide(types.iter().map(|types| Part { namespace: None, types: types.clone() }).collect());
    if let Ended::Exit(exit) = first_end(&context, whole, on_refusal).await {
        return exit;
    }
    tracing::info!(
        kind = %handle.info.id,
        namespaces = namespaces.join(", "),
        "the whole cluster can't be watched: single namespaces are"
    );
    let parts_of = |namespace: String| {
        let part = |types: &Types| Part { namespace: Some(namespace.clone()), types: types.clone() };
        types.iter().map(part).collect::<Vec<_>>()
    };
    let parts = handle.divide(namespaces.into_iter().flat_map(parts_of).collect());
    tokio::select! {
        ended = first_end(&context, parts, OnRefusal::Settle) => match ended {
            Ended::Exit(exit) => exit,
            Ended::Refused => Exit::Rebuild,
        },
        // What is seen stays until a store of the whole cluster can take its place.
        () = whole_cluster_granted(&context, &handle.info) => {
            tracing::info!(kind = %handle.info.id, "the whole cluster may be watched now");
            Exit::Rebuild
        }
    }
}

/// The first watch that ends, ends the others.
async fn first_end(context: &WatchContext, feeds: Vec<Feed>, refusal: OnRefusal) -> Ended {
    // In boxes, because the set has room for one more than there are.
    let watches = feeds.into_iter().map(|one| Box::pin(feed(context.clone(), one, refusal)));
    let mut watches: FuturesUnordered<_> = watches.collect();
    // There is one at least.
    watches.next().await.unwrap_or(Ended::Exit(Exit::Broken))
}

/// Where a kind can be watched other than in the whole cluster.
fn namespaces(context: &WatchContext, info: &KindInfo) -> Vec<String> {
    if info.scope == Scope::Cluster {
        return Vec::new();
    }
    let configured = context.namespaces.names().iter();
    configured.filter(|namespace| !context.deny.namespace(namespace)).cloned().collect()
}

/// Secrets whose data tells something are watched apart from those of which it is never asked for.
fn types(context: &WatchContext, info: &KindInfo) -> Vec<Types> {
    let told = if is_secrets(&info.id) { Told::of(context.secret_data) } else { Vec::new() };
    if told.is_empty() {
        return vec![Types::All];
    }
    let told: Vec<&'static str> = told.into_iter().map(Told::secret_type).collect();
    let apart = told.iter().map(|one| Types::Only(one)).collect::<Vec<_>>();
    [vec![Types::AllBut(told)], apart].concat()
}

/// Waits until the agent may list and watch a kind everywhere. A list that is granted alone would not do.
async fn whole_cluster_granted(context: &WatchContext, info: &KindInfo) {
    loop {
        sleep(spread(context.timings.settled_retry)).await;
        if granted(context, info, Verb::List).await && granted(context, info, Verb::Watch).await {
            return;
        }
    }
}

async fn granted(context: &WatchContext, info: &KindInfo, verb: Verb) -> bool {
    context.rights.to(verb, info, Place::Cluster).await == Right::Granted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_takes_little_room() {
        fn room<A, B, C, F: Future>(_: impl Fn(A, B, C) -> F) -> usize {
            size_of::<F>()
        }
        assert!(room(feed) <= 6 << 10, "{} bytes", room(feed));
    }
}
