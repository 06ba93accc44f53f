# Three rules of policies/rules in Rego, over a Pulumi state, for `bench.policies`: SCALE002, PLAT002, PLAT006.
package main

import rego.v1

gpu_keys := {"nvidia.com/gpu", "amd.com/gpu"}

plain(token) := regex.replace(token, "/v[0-9][0-9a-z]*:", ":")

pools contains pool if {
	some resource in input.deployment.resources
	plain(resource.type) == "azure-native:containerservice:AgentPool"
	pool := {"name": resource.urn, "inputs": resource.inputs}
}

pools contains pool if {
	some resource in clusters
	some profile in resource.inputs.agentPoolProfiles
	pool := {"name": sprintf("%s/%s", [resource.urn, profile.name]), "inputs": profile}
}

clusters contains resource if {
	some resource in input.deployment.resources
	plain(resource.type) == "azure-native:containerservice:ManagedCluster"
}

most(inputs) := inputs.maxCount if inputs.enableAutoScaling

most(inputs) := inputs.count if not inputs.enableAutoScaling

deny contains message if {
	some pool in pools
	data.sizes[pool.inputs.vmSize].rdma
	nodes := most(pool.inputs)
	nodes > 100
	message := sprintf("SCALE002 %s may grow to %d nodes", [pool.name, nodes])
}

deny contains message if {
	some pool in pools
	data.sizes[pool.inputs.vmSize].gpu
	not tainted(pool.inputs)
	message := sprintf("PLAT002 %s has no GPU taint", [pool.name])
}

tainted(inputs) if {
	some taint in inputs.nodeTaints
	some key in gpu_keys
	startswith(taint, sprintf("%s=", [key]))
	regex.match(":(NoSchedule|NoExecute)$", taint)
}

deny contains message if {
	some cluster in clusters
	not cluster.inputs.disableLocalAccounts
	message := sprintf("PLAT006 %s has local accounts", [cluster.urn])
}
