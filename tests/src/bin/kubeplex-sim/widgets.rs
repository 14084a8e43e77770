//! The troubles of a custom kind: a version is withdrawn, the kind goes altogether, its objects can't be converted.
//!
//! Objects are stored as `v1beta1` and asked for as `v1`, which the webhook of the definition converts to.

use parking_lot::Mutex;
use serde_json::{Value, json};
use simcluster::{Fault, FaultAction, FaultId, Gvr, SimCluster};

use crate::kind::{Kind, WIDGETS};
use crate::schedule::WidgetTrouble;
use crate::truth::{State, Truth};

/// How many of each trouble there are now: they may overlap.
#[derive(Default)]
pub(crate) struct Widgets(Mutex<Troubles>);

#[derive(Default)]
struct Troubles {
    withdrawn: usize,
    gone: usize,
    unconverted: Vec<FaultId>,
}

impl Widgets {
    /// The trouble begins.
    pub(crate) fn begin(&self, trouble: WidgetTrouble, sim: &SimCluster, truth: &Truth) {
        let mut troubles = self.0.lock();
        match trouble {
            WidgetTrouble::VersionWithdrawn => troubles.withdrawn += 1,
            WidgetTrouble::KindGone => troubles.gone += 1,
            WidgetTrouble::NotConverted => {
                troubles.unconverted.push(sim.faults().add(not_converted()));
                sim.end_watches_of(&Kind::Widgets.stored());
            }
        }
        troubles.apply(sim, truth);
    }

    /// One of them is over.
    pub(crate) fn end(&self, trouble: WidgetTrouble, sim: &SimCluster, truth: &Truth) {
        let mut troubles = self.0.lock();
        match trouble {
            WidgetTrouble::VersionWithdrawn => troubles.withdrawn -= 1,
            WidgetTrouble::KindGone => troubles.gone -= 1,
            WidgetTrouble::NotConverted => {
                troubles.unconverted.pop().into_iter().for_each(|id| sim.faults().remove(id));
            }
        }
        troubles.apply(sim, truth);
    }

    /// Whether the cluster has the kind.
    pub(crate) fn are_served(&self) -> bool {
        self.0.lock().gone == 0
    }
}

impl Troubles {
    /// Has the definition say so.
    fn apply(&self, sim: &SimCluster, truth: &Truth) {
        let definitions = Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");
        let was_there = sim.object(&definitions, "", WIDGETS).is_some();
        let is_there = self.gone == 0;
        match (was_there, is_there) {
            (_, true) => drop(sim.apply(definition(self.withdrawn == 0)).expect("definitions are served")),
            (true, false) => sim.delete(&definitions, "", WIDGETS).expect("the definition is there"),
            (false, false) => {}
        }
        if was_there != is_there {
            truth.is_served(is_there);
            truth.becomes(State::new());
        }
    }
}

/// The definition of the kind.
pub(crate) fn definition(serves_v1: bool) -> Value {
    let columns = json!([{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]);
    let version = |name: &str, served: bool, storage: bool| json!({"name": name, "served": served, "storage": storage, "additionalPrinterColumns": columns});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": WIDGETS},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "conversion": {"strategy": "Webhook"},
            "versions": [version("v1", serves_v1, false), version("v1beta1", true, true)],
        },
    })
}

fn not_converted() -> Fault {
    let message = "conversion webhook for example.com/v1beta1, Kind=Widget failed: Post \"https://converter.sim.svc:443/convert\": \
                   service \"converter\" not found";
    Fault::new(FaultAction::Status { code: 500, message: message.to_owned() }).path("/apis/example.com/v1/")
}
