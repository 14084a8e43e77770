package main

import (
	"os"

	"github.com/spf13/cobra"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's ways to log in, for kubeconfigs of other clusters
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // request metrics of client-go
	_ "k8s.io/component-base/metrics/prometheus/version"  // the version as a metric
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func runAPIServer(args []string) int {
	return runCobra("kube-apiserver", args, apiserver.NewAPIServerCommand)
}

func runControllerManager(args []string) int {
	return runCobra("kube-controller-manager", args, controllermanager.NewControllerManagerCommand)
}

func runScheduler(args []string) int {
	return runCobra("kube-scheduler", args, func() *cobra.Command { return scheduler.NewSchedulerCommand() })
}

// runKubectl differs from the servers only in how it prints its errors.
func runKubectl(args []string) int {
	os.Args = append([]string{"kubectl"}, args...)
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
	return 0
}

// runCobra runs a component as if its own main had been called: the commands
// read os.Args, both for parsing and for what they log.
func runCobra(name string, args []string, command func() *cobra.Command) int {
	os.Args = append([]string{name}, args...)
	return cli.Run(command())
}
