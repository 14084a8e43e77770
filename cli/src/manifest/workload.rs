//! The agent itself, and what its pod is made of.

use kubeplex_gateway::config::TokenHash;

use super::Material;
use super::document::{NAME, Place, block, in_quotes, metadata, quoted};
use super::settings::{ADMIN_PORT, FOLDER, HISTORY};

/// As nobody in particular: the number that images without users have agreed on.
const USER: u32 = 65_532;

/// Twice the 20 s that the agent gives to what is under way, and some for its end.
const GRACE_S: u32 = 45;

/// How one pod takes another's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replacement {
    OldEndsFirst,
    NewStandsBy,
}

impl Replacement {
    fn strategy(self) -> &'static str {
        match self {
            Self::OldEndsFirst => {
                "  # Never two agents of one cluster at a time. While one takes the other's place, answers say that the cluster is missing.
  strategy:
    type: Recreate
"
            }
            Self::NewStandsBy => {
                "  # The new agent syncs and stands by at the gateway until the old one says good-bye.
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
"
            }
        }
    }
}

pub(super) fn namespace(place: &Place) -> String {
    let pod_security = "    # The agent keeps to the strictest of the Pod Security Standards, and so has to do all else here.\n    \
                        pod-security.kubernetes.io/enforce: restricted\n    pod-security.kubernetes.io/warn: restricted\n";
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n  labels:\n    app.kubernetes.io/part-of: kubeplex\n{pod_security}",
        quoted(place.namespace().as_str()),
    )
}

pub(super) fn service_account(place: &Place) -> String {
    let metadata = metadata(NAME, Some(place.namespace()), "");
    format!("apiVersion: v1\nkind: ServiceAccount\n{metadata}automountServiceAccountToken: false\n")
}

pub(super) fn token(place: &Place, token: &str) -> String {
    let metadata = metadata(NAME, Some(place.namespace()), "");
    let comment = "# What the agent shows to the gateway, which knows its SHA-256.\n";
    format!(
        "{comment}apiVersion: v1\nkind: Secret\n{metadata}type: Opaque\nstringData:\n  token: {}\n",
        in_quotes(token)
    )
}

pub(super) fn configuration(place: &Place, material: &Material) -> String {
    let mut text =
        "# docs/deploying.md says what else can stand here.\napiVersion: v1\nkind: ConfigMap\n".to_owned();
    text += &metadata(NAME, Some(place.namespace()), "");
    text += "data:\n  agent.toml: |\n";
    text += &block(&material.settings);
    if let Some(authority) = &material.authority {
        text += "  gateway-ca.pem: |\n";
        text += &block(authority);
    }
    text
}

pub(super) fn deployment(
    place: &Place,
    image: &str,
    replacement: Replacement,
    material: &Material,
) -> String {
    // Another configuration or token is another pod.
    let whole =
        [material.settings.as_str(), material.authority.as_deref().unwrap_or_default(), &material.token];
    let digest = TokenHash::of(&whole.join("\0"));
    let metadata = metadata(NAME, Some(place.namespace()), "");
    let (image, strategy) = (in_quotes(image), replacement.strategy());
    format!(
        "\
# No PodDisruptionBudget: with one replica it could only keep a node from being drained.
apiVersion: apps/v1
kind: Deployment
{metadata}spec:
  replicas: 1
{strategy}  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: {NAME}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {NAME}
        app.kubernetes.io/part-of: kubeplex
      annotations:
        # Of configuration and token, so that others are another pod. Who changes them by hand says
        # kubectl rollout restart deployment/{NAME}.
        kubeplex.dev/configuration-sha256: \"{digest}\"
    spec:
      serviceAccountName: {NAME}
      automountServiceAccountToken: true
      enableServiceLinks: false
      # What is under way gets 20 s to end, and what is cut then as long again.
      terminationGracePeriodSeconds: {GRACE_S}
      nodeSelector:
        kubernetes.io/os: linux
      securityContext:
        runAsNonRoot: true
        runAsUser: {USER}
        runAsGroup: {USER}
        fsGroup: {USER}
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: agent
          image: {image}
          args: [--config, {FOLDER}/agent.toml]
          env:
            - name: KUBEPLEX_LOG_FORMAT
              value: json
          ports:
            - name: admin
              containerPort: {ADMIN_PORT}
          # Alive whatever the API server or the gateway does: another process would only have to sync again.
          livenessProbe:
            httpGet:
              path: /healthz
              port: admin
            periodSeconds: 10
            failureThreshold: 6
          # Ready once every kind that is watched from the start is synced, or known to be forbidden.
          readinessProbe:
            httpGet:
              path: /readyz
              port: admin
            periodSeconds: 5
          # Memory follows what the cluster holds, about 1.2 kB a pod; the processor is busy while it syncs.
          resources:
            requests:
              cpu: 50m
              memory: 64Mi
            limits:
              cpu: \"1\"
              memory: 512Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: configuration
              mountPath: {FOLDER}
              readOnly: true
            - name: history
              mountPath: {HISTORY}
      volumes:
        # Changes, of which the agent keeps 256 MiB at most. All else that it keeps is in memory.
        - name: history
          emptyDir:
            sizeLimit: 320Mi
        - name: configuration
          projected:
            # 0440
            defaultMode: 288
            sources:
              - configMap:
                  name: {NAME}
              - secret:
                  name: {NAME}
"
    )
}
