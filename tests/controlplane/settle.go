package main

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// expectAnnotation names a phase that an object is to stay in for good, where
// that is not the one that its kind settles in.
const expectAnnotation = "seed.kubeplex.dev/expect"

// settling is a kind that takes a while to come to rest, and how to see that an
// object of it has.
type settling struct {
	resource schema.GroupVersionResource
	settled  func(*unstructured.Unstructured) bool
}

// settlings are looked at in this order, the slowest last, so that a wait ends
// with one round over all.
var settlings = []settling{
	{resource("", "namespaces"), phaseIs("Active")},
	{resource("", "persistentvolumeclaims"), phaseIs("Bound")},
	{resource("", "resourcequotas"), has("status", "hard")},
	{resource("policy", "poddisruptionbudgets"), observed},
	{resource("apiextensions.k8s.io", "customresourcedefinitions"), condition("Established")},
	{resource("apiregistration.k8s.io", "apiservices"), condition("Available")},
	{resource("", "nodes"), has("status", "nodeInfo", "kubeletVersion")},
	{resource("", "pods"), podSettled},
	{resource("apps", "daemonsets"), counted("desiredNumberScheduled", "numberReady")},
	{resource("apps", "statefulsets"), counted("replicas", "readyReplicas")},
	{resource("apps", "deployments"), counted("replicas", "availableReplicas")},
	{resource("batch", "jobs"), has("status", "conditions")},
	{resource("autoscaling", "horizontalpodautoscalers"), has("status", "conditions")},
}

// settled fails while any object is still on its way, and says which.
func (s *seeder) settled(ctx context.Context) error {
	for _, kind := range settlings {
		list, err := s.client.Resource(kind.resource).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, object := range list.Items {
			if !kind.settled(&object) {
				return fmt.Errorf("%s %s/%s is still on its way", kind.resource.Resource, object.GetNamespace(), object.GetName())
			}
		}
	}
	return nil
}

// resource names a kind in the version that every supported Kubernetes serves.
func resource(group, plural string) schema.GroupVersionResource {
	version := "v1"
	if group == "autoscaling" {
		version = "v2"
	}
	return schema.GroupVersionResource{Group: group, Version: version, Resource: plural}
}

func phaseIs(phase string) func(*unstructured.Unstructured) bool {
	return func(object *unstructured.Unstructured) bool {
		want := phase
		if expected := object.GetAnnotations()[expectAnnotation]; expected != "" {
			want = expected
		}
		got, _, _ := unstructured.NestedString(object.Object, "status", "phase")
		return got == want
	}
}

func has(path ...string) func(*unstructured.Unstructured) bool {
	return func(object *unstructured.Unstructured) bool {
		_, found, err := unstructured.NestedFieldNoCopy(object.Object, path...)
		return found && err == nil
	}
}

func condition(kind string) func(*unstructured.Unstructured) bool {
	return func(object *unstructured.Unstructured) bool {
		return conditionStatus(object, kind) == "True"
	}
}

// counted compares two counts of the status of a workload. One whose pods are
// made to fail never gets its second count.
func counted(want, got string) func(*unstructured.Unstructured) bool {
	return func(object *unstructured.Unstructured) bool {
		status, _, _ := unstructured.NestedMap(object.Object, "status")
		annotations, _, _ := unstructured.NestedStringMap(object.Object, "spec", "template", "metadata", "annotations")
		if annotations[fateAnnotation] != "" || object.GetAnnotations()[expectAnnotation] != "" {
			return observed(object)
		}
		wanted, _ := status[want].(int64)
		return observed(object) && wanted > 0 && status[got] == status[want]
	}
}

func observed(object *unstructured.Unstructured) bool {
	generation, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	return generation == object.GetGeneration()
}

// podSettled: it came to its end, or runs, or has the fate it was given, or the
// scheduler has said that it fits nowhere.
func podSettled(pod *unstructured.Unstructured) bool {
	phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase")
	if phase == "Succeeded" || phase == "Failed" || conditionStatus(pod, "PodScheduled") == "False" {
		return true
	}
	statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", "containerStatuses")
	endsByItself := ownedBy(pod, "Job") && pod.GetAnnotations()[fateAnnotation] == ""
	return len(statuses) > 0 && !endsByItself
}

func ownedBy(object *unstructured.Unstructured, kind string) bool {
	for _, owner := range object.GetOwnerReferences() {
		if owner.Kind == kind {
			return true
		}
	}
	return false
}

func conditionStatus(object *unstructured.Unstructured, kind string) string {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, entry := range conditions {
		if condition, ok := entry.(map[string]any); ok && condition["type"] == kind {
			status, _ := condition["status"].(string)
			return status
		}
	}
	return ""
}
