//! Lists whose items have identities: compared item by item, whatever their order.

use serde_json::Value;
use serde_json::value::RawValue;

/// The fields that tell the items of a list apart, by the list's name.
///
/// As `patchMergeKey` and `x-kubernetes-list-map-keys` of the API declare them; where two are declared, the one that is
/// unique in practice.
const OF_LISTS: [(&str, &str); 12] = [
    ("conditions", "type"),
    ("addresses", "type"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
    ("ownerReferences", "uid"),
    ("hostAliases", "ip"),
    ("podIPs", "ip"),
    ("hostIPs", "ip"),
    ("topologySpreadConstraints", "topologyKey"),
    ("resourceClaims", "name"),
    ("taints", "key"),
    ("metrics", "type"),
];

/// What most lists have: containers, env, volumes, ports of services.
const USUAL: [&str; 3] = ["name", "containerPort", "port"];

/// The field by which the items of a list are the same before and after, where there is one that each of them has and no two
/// share.
pub(super) fn of(list: &str, before: &[&RawValue], after: &[&RawValue]) -> Option<&'static str> {
    let declared = OF_LISTS.iter().filter(|(name, _)| *name == list).map(|(_, key)| *key);
    declared.chain(USUAL).find(|key| tells_apart(key, before) && tells_apart(key, after))
}

fn tells_apart(key: &str, items: &[&RawValue]) -> bool {
    let keys: Option<Vec<Value>> = items.iter().map(|item| value_of(key, item)).collect();
    let Some(keys) = keys else { return false };
    keys.iter().enumerate().all(|(at, key)| !keys[..at].contains(key))
}

/// The items with what tells them apart.
pub(super) fn keyed<'a>(key: &str, items: &[&'a RawValue]) -> Vec<(Value, &'a RawValue)> {
    items.iter().filter_map(|item| Some((value_of(key, item)?, *item))).collect()
}

fn value_of(key: &str, item: &RawValue) -> Option<Value> {
    let item: Value = serde_json::from_str(item.get()).ok()?;
    item.get(key).filter(|value| value.is_string() || value.is_number()).cloned()
}
