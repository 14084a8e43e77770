// Command controlplane is a whole Kubernetes control plane in one binary, one
// process a component. It exists so that tests run against the real thing on a
// machine that has neither containers nor a cluster.
//
// The components of Kubernetes share registries that are global to a process
// (feature gates, metrics), so a subcommand runs exactly one of them and never
// two side by side.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// subcommands maps a name to what runs it. Each gets the arguments after its
// name and answers with the exit code of the process.
var subcommands = map[string]func(args []string) int{
	"etcd":                    runEtcd,
	"kube-apiserver":          runAPIServer,
	"kube-controller-manager": runControllerManager,
	"kube-scheduler":          runScheduler,
	"kubectl":                 runKubectl,
	"prepare":                 fallible(prepare),
	"kubeconfig":              fallible(mergeKubeconfigs),
	"ready":                   fallible(waitReady),
	"seed":                    fallible(seed),
}

func main() {
	if len(os.Args) < 2 {
		usage()
		os.Exit(2)
	}
	run, known := subcommands[os.Args[1]]
	if !known {
		fmt.Fprintf(os.Stderr, "unknown subcommand %q\n", os.Args[1])
		usage()
		os.Exit(2)
	}
	os.Exit(run(os.Args[2:]))
}

func usage() {
	names := make([]string, 0, len(subcommands))
	for name := range subcommands {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "usage: %s {%s} [arguments]\n", filepath.Base(os.Args[0]), strings.Join(names, "|"))
}

// fallible turns a function that returns an error into a subcommand.
func fallible(run func(args []string) error) func(args []string) int {
	return func(args []string) int {
		if err := run(args); err != nil {
			fmt.Fprintf(os.Stderr, "controlplane: %v\n", err)
			return 1
		}
		return 0
	}
}
