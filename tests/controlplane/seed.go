package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"text/template"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// fieldManager is who the seeded fields say they are managed by.
const fieldManager = "kubeplex-seed"

// deleteAnnotation marks an object that is to be deleted once all is settled: with a
// finalizer on it, it stays in the state of being deleted.
const deleteAnnotation = "seed.kubeplex.dev/delete"

//go:embed seed/*.yaml
var seedFiles embed.FS

// seeder applies manifests of any kind to one cluster.
type seeder struct {
	client dynamic.Interface
	mapper *restmapper.DeferredDiscoveryRESTMapper
}

// seed applies the embedded manifests and waits until they have settled. It can
// be repeated: what is there already is left as it is.
func seed(args []string) error {
	flags := flag.NewFlagSet("seed", flag.ExitOnError)
	values := seedValues{}
	kubeconfig := flags.String("kubeconfig", "", "a user with all rights")
	flags.StringVar(&values.Cluster, "cluster", "", "name of the cluster")
	flags.StringVar(&values.Region, "region", "", "region of the cluster")
	flags.IntVar(&values.Index, "index", 0, "which cluster of the fleet this is, from 0")
	flags.IntVar(&values.MetricsPort, "metrics-port", 0, "port of the metrics API; 0 where there is none")
	timeout := flags.Duration("timeout", 3*time.Minute, "how long the workloads may take to settle")
	if err := flags.Parse(args); err != nil {
		return err
	}
	objects, err := manifests(values)
	if err != nil {
		return err
	}
	seeder, err := newSeeder(*kubeconfig)
	if err != nil {
		return err
	}
	if err := seeder.applyAll(objects); err != nil {
		return err
	}
	if err := until(*timeout, seeder.settled); err != nil {
		return fmt.Errorf("the seeded objects did not settle: %w", err)
	}
	return seeder.deleteMarked(objects)
}

func newSeeder(kubeconfig string) (*seeder, error) {
	config, err := restConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	discovery, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discovery))
	return &seeder{client: client, mapper: mapper}, nil
}

// manifests renders the embedded files and splits them into objects, in the
// order of the files' names.
func manifests(values seedValues) ([]*unstructured.Unstructured, error) {
	names, err := fs.Glob(seedFiles, "seed/*.yaml")
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, name := range names {
		rendered, err := render(name, values)
		if err != nil {
			return nil, err
		}
		more, err := decode(rendered)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		objects = append(objects, more...)
	}
	return objects, nil
}

func render(name string, values seedValues) (io.Reader, error) {
	manifest, err := template.ParseFS(seedFiles, name)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = manifest.Option("missingkey=error").Execute(&text, values)
	return &text, err
}

func decode(text io.Reader) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(text, 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("after %d objects: %w", len(objects), err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

// applyAll applies objects in their order. An object whose kind or namespace is
// still on its way (a new CRD's, say) is tried again for a while.
func (s *seeder) applyAll(objects []*unstructured.Unstructured) error {
	for _, object := range objects {
		err := until(30*time.Second, func(ctx context.Context) error { return s.apply(ctx, object) })
		if err != nil {
			return fmt.Errorf("apply %s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
		}
	}
	return nil
}

func (s *seeder) apply(ctx context.Context, object *unstructured.Unstructured) error {
	resource, err := s.resource(object)
	if err != nil {
		return err
	}
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	if _, err := resource.Apply(ctx, object.GetName(), object, options); err != nil {
		return err
	}
	if _, withStatus := object.Object["status"]; !withStatus {
		return nil
	}
	_, err = resource.ApplyStatus(ctx, object.GetName(), object, options)
	return err
}

func (s *seeder) resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := s.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		s.mapper.Reset()
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return s.client.Resource(mapping.Resource).Namespace(object.GetNamespace()), nil
	}
	return s.client.Resource(mapping.Resource), nil
}

func (s *seeder) deleteMarked(objects []*unstructured.Unstructured) error {
	for _, object := range objects {
		if object.GetAnnotations()[deleteAnnotation] == "" {
			continue
		}
		resource, err := s.resource(object)
		if err != nil {
			return err
		}
		if err := resource.Delete(context.Background(), object.GetName(), metav1.DeleteOptions{}); err != nil {
			return fmt.Errorf("delete %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}
