package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// fateAnnotation on a pod says how its first container ends up, where that is
// not simply running. config/kwok.yaml holds the status that goes with each.
const fateAnnotation = "seed.kubeplex.dev/fate"

// fate is a way for a pod to go wrong, with the event that a kubelet would send.
type fate struct {
	Name    string
	Reason  string
	Message string
}

var fates = []fate{
	{"crash-loop", "BackOff", "Back-off restarting failed container"},
	{"image-pull", "Failed", "Error: ImagePullBackOff"},
	{"config-error", "Failed", `Error: secret "does-not-exist" not found`},
	{"init-crash", "BackOff", "Back-off restarting failed init container"},
	{"oom-restarts", "OOMKilling", "Memory cgroup out of memory: killed the container's process"},
	{"oom-killed", "OOMKilling", "Memory cgroup out of memory: killed the container's process"},
	{"error", "Failed", "The container exited with code 1"},
	{"not-ready", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"},
	{"evicted", "Evicted", "The node was low on resource: memory."},
}

// podLogLines is long enough for a tail to leave something out.
const podLogLines = 240

// writePodLogs writes what every container is said to have logged, in the
// format of the container runtime interface. One line in ten carries
// a credential, which no reader may ever get to see.
func (f clusterFiles) writePodLogs() error {
	start := time.Now().Add(-podLogLines * time.Second)
	var log strings.Builder
	for line := range podLogLines {
		at := start.Add(time.Duration(line) * time.Second).UTC().Format(time.RFC3339Nano)
		fmt.Fprintf(&log, "%s stdout F %s\n", at, podLogMessage(f.Name, line))
	}
	return os.WriteFile(filepath.Join(f.Dir, "config", "pod.log"), []byte(log.String()), 0o644)
}

func podLogMessage(cluster string, line int) string {
	switch line % 10 {
	case 3:
		return fmt.Sprintf(`level=error cluster=%s msg="payment declined" order=%d err="upstream timed out"`, cluster, 1000+line)
	case 7:
		return fmt.Sprintf(`level=debug cluster=%s msg="signing in" password=KUBEPLEX-LEAK-CANARY-LOG`, cluster)
	default:
		return fmt.Sprintf(`level=info cluster=%s msg="order placed" order=%d`, cluster, 1000+line)
	}
}
