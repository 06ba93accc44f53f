#!/bin/bash
# Makes one file system of a node's local NVMe disks and mounts it: RAID 0 across all of them. AKS leaves them raw (AKS
# best-practices-storage-nvme). Runs in the node's own mount namespace, as often as one likes; it ends with 0 once the file system is mounted.
#
#   node_scratch.sh MOUNT_POINT [DIRECTORY...]
#
# Directories are made in it, open to every user as /tmp is. Volumes are directories of it: while it is not mounted they are not there, and
# pods wait instead of filling the disk of the operating system.
#
# It takes only disks that are the size's local ones by their model, and of those only what nothing uses: no partition, no mount, no swap, no
# other array. A disk with anything on it that is not ours is an error, never a disk to format. What is on the disks is scratch: after a
# reboot the array is found again with its files, on new disks it is made anew.
set -euo pipefail

readonly MOUNT_POINT=${1:?usage: node_scratch.sh MOUNT_POINT [DIRECTORY...]}
readonly DIRECTORIES=("${@:2}")
# Where the kernel shows itself; the tests have others.
readonly SYS=${SCRATCH_SYS:-/sys} PROC=${SCRATCH_PROC:-/proc} DEV=${SCRATCH_DEV:-/dev}
readonly LABEL=gpufleet-scratch
readonly ARRAY_NAME=gpufleet-scratch
# Models of disks that are local to the machine. Remote disks on NVMe controllers are `MSFT NVMe Accelerator` (azure-compute-docs
# enable-nvme-interface).
readonly LOCAL_MODEL='Microsoft NVMe Direct Disk'

say() { echo "node-scratch: $*"; }
fail() { echo "node-scratch: error: $*" >&2; exit 1; }

# Whether a block device is mounted or swapped to, whole or in part.
in_use() {
    local name=$1
    grep -qE "^$DEV/$name(p[0-9]+)? " "$PROC/mounts" "$PROC/swaps" 2>/dev/null
}

# Names of the local NVMe disks that are free or in an array, one a line; those of the operating system are left out.
local_disks() {
    local path name model
    for path in "$SYS"/block/nvme*; do
        [ -e "$path/device/model" ] || continue
        name=${path##*/}
        # Not nvme0c0n1, one of several ways to a disk.
        [[ $name =~ ^nvme[0-9]+n[0-9]+$ ]] || continue
        model=$(tr -s ' ' <"$path/device/model")
        [[ $model == "$LOCAL_MODEL"* ]] || continue
        compgen -G "$path/$name"'p*/partition' >/dev/null && continue
        in_use "$name" && continue
        echo "$name"
    done
}

# The array that a disk is a member of, without /dev; nothing for a free one.
array_of() {
    local holder
    for holder in "$SYS/block/$1"/holders/*; do
        [ -e "$holder" ] && echo "${holder##*/}"
    done
    return 0
}

# What a device has on it: its type and label, `:` where there is nothing.
content_of() {
    local type label
    type=$(blkid -p -s TYPE -o value "$1" || true)
    label=$(blkid -p -s LABEL -o value "$1" || true)
    echo "$type:$label"
}

# The one device that all disks make up, found or made. Prints its path.
whole_device() {
    local -a disks=("$@") paths=() arrays=()
    local disk held=0
    for disk in "${disks[@]}"; do
        paths+=("$DEV/$disk")
        local array
        array=$(array_of "$disk")
        if [ -n "$array" ]; then
            held=$((held + 1))
            arrays+=("$array")
        fi
    done
    if [ "${#disks[@]}" -eq 1 ] && [ "$held" -eq 0 ]; then
        echo "${paths[0]}"
        return
    fi
    if [ "$held" -gt 0 ]; then
        [ "$(printf '%s\n' "${arrays[@]}" | sort -u | wc -l)" -eq 1 ] || fail "disks are in several arrays: ${arrays[*]}"
        [ "$held" -eq "${#disks[@]}" ] || fail "$held of ${#disks[@]} disks are in ${arrays[0]}, the others in none"
        [[ ${arrays[0]} == md* ]] || fail "disks are held by ${arrays[0]}, which is no RAID array"
        echo "$DEV/${arrays[0]}"
        return
    fi
    for disk in "${paths[@]}"; do
        case $(content_of "$disk") in
        : | linux_raid_member:*"$ARRAY_NAME") ;;
        *) fail "$disk has something on it that is not ours: $(content_of "$disk")" ;;
        esac
    done
    local target=$DEV/md/$ARRAY_NAME
    if ! mdadm --assemble "$target" --name="$ARRAY_NAME" "${paths[@]}" >&2; then
        say "a new array of ${#paths[@]} disks" >&2
        mdadm --create "$target" --run --homehost=any --name="$ARRAY_NAME" --level=0 --chunk=512 \
            --raid-devices="${#paths[@]}" "${paths[@]}" >&2
    fi
    echo "$target"
}

main() {
    mountpoint -q "$MOUNT_POINT" || mount_scratch
    local directory
    for directory in "${DIRECTORIES[@]}"; do
        [ -d "$MOUNT_POINT/$directory" ] || install -d -m 1777 "$MOUNT_POINT/$directory"
    done
}

mount_scratch() {
    local -a disks
    mapfile -t disks < <(local_disks | sort -V)
    [ "${#disks[@]}" -gt 0 ] || fail "no free local NVMe disk (model '$LOCAL_MODEL') on this node"
    local device
    device=$(whole_device "${disks[@]}")
    case $(content_of "$device") in
    "ext4:$LABEL") say "found the file system on $device" ;;
    :)
        say "a new file system on $device"
        # No blocks kept for root, and no inodes written that nobody has asked for yet: a format takes seconds.
        mkfs.ext4 -q -F -L "$LABEL" -m 0 -E lazy_itable_init=1,lazy_journal_init=1 "$device"
        ;;
    *) fail "$device has something on it that is not ours: $(content_of "$device")" ;;
    esac
    mkdir -p "$MOUNT_POINT"
    mount -t ext4 -o noatime,nodev,nosuid "$device" "$MOUNT_POINT"
    say "mounted $device (${#disks[@]} disks) on $MOUNT_POINT"
}

# Two pods at once, such as during an upgrade of the daemon set, would both find free disks.
exec 9>"${SCRATCH_LOCK:-/run/lock/gpufleet-scratch}"
flock 9
main
