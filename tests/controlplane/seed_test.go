package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
)

func TestManifestsOfEveryClusterAreWholeAndDistinct(t *testing.T) {
	counts := map[int]int{}
	for index := range 3 {
		metricsPort := []int{4443, 4443, 0}[index]
		objects, err := manifests(seedValues{Cluster: "eu-1", Region: "eu", Index: index, MetricsPort: metricsPort})
		if err != nil {
			t.Fatal(err)
		}
		counts[index] = len(objects)
		seen := map[string]bool{}
		for _, object := range objects {
			key := fmt.Sprintf("%s %s/%s", object.GroupVersionKind(), object.GetNamespace(), object.GetName())
			if object.GetName() == "" || object.GetKind() == "" || seen[key] {
				t.Errorf("cluster %d: incomplete or twice: %s", index, key)
			}
			seen[key] = true
		}
	}
	if counts[0] == counts[1] && counts[1] == counts[2] {
		t.Errorf("all clusters have %d objects: nothing is in one only", counts[0])
	}
}

func TestEveryFateOfTheSeedHasItsStage(t *testing.T) {
	stages := map[string]bool{}
	for _, object := range renderedKwokConfig(t) {
		stages[object.GetName()] = true
	}
	for _, name := range []string{"node-ready", "pod-running", "pod-completed", "pod-deleted", "every-container"} {
		if !stages[name] {
			t.Errorf("kwok.yaml has no %s", name)
		}
	}
	objects, err := manifests(seedValues{Cluster: "us-1", Region: "us", Index: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		if fate := podFate(object); fate != "" && !stages["pod-"+fate] {
			t.Errorf("%s %s: no stage for the fate %q", object.GetKind(), object.GetName(), fate)
		}
	}
}

func TestEveryPersonHasAContext(t *testing.T) {
	files := preparedFiles(t)
	config, err := clientcmd.LoadFromFile(files.kubeconfig("users"))
	if err != nil {
		t.Fatal(err)
	}
	for suffix := range personAccounts {
		name := files.Name + suffix
		context := config.Contexts[name]
		if context == nil || config.AuthInfos[context.AuthInfo] == nil || config.Clusters[context.Cluster] == nil {
			t.Errorf("the context %s is not there, or names what is not", name)
		}
	}
}

func TestAPodIsSettledWhenNothingMoreHappensToIt(t *testing.T) {
	running := map[string]any{"phase": "Running", "containerStatuses": []any{map[string]any{"name": "app"}}}
	job := map[string]any{"ownerReferences": []any{map[string]any{"kind": "Job", "name": "job", "uid": "1", "apiVersion": "batch/v1"}}}
	unscheduled := []any{map[string]any{"type": "PodScheduled", "status": "False"}}
	cases := map[string]struct {
		metadata, status map[string]any
		settled          bool
	}{
		"new":               {nil, map[string]any{"phase": "Pending"}, false},
		"running":           {nil, running, true},
		"running for a job": {job, running, false},
		"done":              {job, map[string]any{"phase": "Succeeded"}, true},
		"fits nowhere":      {nil, map[string]any{"phase": "Pending", "conditions": unscheduled}, true},
	}
	for name, c := range cases {
		pod := &unstructured.Unstructured{Object: map[string]any{"metadata": c.metadata, "status": c.status}}
		if got := podSettled(pod); got != c.settled {
			t.Errorf("%s: settled is %v, want %v", name, got, c.settled)
		}
	}
}

func podFate(object *unstructured.Unstructured) string {
	if object.GetKind() == "Pod" {
		return object.GetAnnotations()[fateAnnotation]
	}
	fate, _, _ := unstructured.NestedString(object.Object, "spec", "template", "metadata", "annotations", fateAnnotation)
	return fate
}

func renderedKwokConfig(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(preparedFiles(t).Dir, "config", "kwok.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	objects, err := decode(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func preparedFiles(t *testing.T) clusterFiles {
	t.Helper()
	files := clusterFiles{Dir: t.TempDir(), Name: "eu-1", Server: "https://127.0.0.1:6443", KwokPort: 10250}
	args := []string{"--dir=" + files.Dir, "--name=" + files.Name, "--server=" + files.Server, "--kwok-port=10250"}
	if err := prepare(args); err != nil {
		t.Fatal(err)
	}
	return files
}
