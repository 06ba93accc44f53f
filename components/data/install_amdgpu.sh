# Runs on the node itself, from a container of its own (components/amd_gpu.py): AMD's kernel driver from AMD's package repository, as in
# Azure/aks-rdma-infiniband configs/amd-driver-installer. PACKAGES, VERSION and DISTRIBUTION are the operator set's.
# apt reads an armored key under the ending .asc; unattended upgrades may hold its lock on a new node.
set -eu
if ! test -d /sys/module/amdgpu; then
  if ! dpkg-query --show amdgpu-dkms >/dev/null 2>&1; then
    install -d -m 0755 /etc/apt/keyrings
    curl --fail --silent --show-error --location --retry 5 --output /etc/apt/keyrings/rocm.asc "$PACKAGES/rocm/rocm.gpg.key"
    repository="$PACKAGES/amdgpu/$VERSION/ubuntu $DISTRIBUTION main"
    echo "deb [arch=amd64 signed-by=/etc/apt/keyrings/rocm.asc] $repository" >/etc/apt/sources.list.d/amdgpu.list
    apt-get -o DPkg::Lock::Timeout=600 update
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install --yes amdgpu-dkms
  fi
  modprobe amdgpu
fi
exec sleep infinity
