#!/bin/sh
# Brings a model's weights from the registry into a cache, and keeps them there. Runs in the ORAS image: BusyBox and oras.
#
#   model_weights.sh hold   fill the cache of this node unless it is filled, mark the weights as in use until SIGTERM
#   model_weights.sh fill   fill a cache that nobody else fills
#   model_weights.sh wait   until somebody has filled it
#
# ARTIFACT   REGISTRY/REPOSITORY@sha256:DIGEST; ORAS checks the manifest and every layer against their digests
# CACHE      folder of the cache: one folder for each digest, with .complete in it once all of it is there
# READY      file that says so to the kubelet
# RUN        folder for tokens, in memory
#
# Who uses a digest has a shared lock on DIGEST.lock; who fills or removes it has an exclusive one. Locks end with their process, so a
# container that is killed leaves none behind. Space is made of digests that nobody on the node uses, the one used longest ago first.
set -eu
umask 022

fail() { echo "model-weights: error: $*" >&2; exit 1; }
say() { echo "model-weights: $*" >&2; }

: "${ARTIFACT:?}" "${CACHE:?}" "${RUN:?}"
readonly REGISTRY=${ARTIFACT%%/*}
readonly DIGEST=${ARTIFACT##*@}
readonly KEY="sha256-${DIGEST#sha256:}"
readonly FOLDER=$CACHE/$KEY
readonly SPARE_BYTES=${SPARE_BYTES:-1000000000}
export DOCKER_CONFIG=$RUN

# A shell waits for a command before it looks at signals, but not for one in the background.
await() { "$@" & wait $!; }

# The value of a key in a flat JSON answer.
value_of() { sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p'; }

# POST of a form in a file, for a token has no place in a command's arguments.
post() {
    wget -q -O - --header 'Content-Type: application/x-www-form-urlencoded' --post-file="$RUN/form" "$1" || fail "no answer from $1: $2"
}

# Workload identity to a token of Entra, that to a token of the registry (Azure/acr docs/AAD-OAuth.md).
log_in() {
    : "${AZURE_CLIENT_ID:?}" "${AZURE_TENANT_ID:?}" "${AZURE_AUTHORITY_HOST:?}" "${AZURE_FEDERATED_TOKEN_FILE:?}"
    local token
    (
        umask 077
        printf 'grant_type=client_credentials&client_id=%s&scope=%s&client_assertion_type=%s&client_assertion=%s' "$AZURE_CLIENT_ID" \
            'https%3A%2F%2Fcontainerregistry.azure.net%2F.default' 'urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer' \
            "$(cat "$AZURE_FEDERATED_TOKEN_FILE")" >"$RUN/form"
    )
    token=$(post "${AZURE_AUTHORITY_HOST%/}/$AZURE_TENANT_ID/oauth2/v2.0/token" "is the federated credential of this service account there?" |
        value_of access_token)
    [ -n "$token" ] || fail "Entra gave no token to the identity $AZURE_CLIENT_ID"
    printf 'grant_type=access_token&service=%s&access_token=%s' "$REGISTRY" "$token" >"$RUN/form"
    token=$(post "https://$REGISTRY/oauth2/exchange" "has the identity $AZURE_CLIENT_ID the role AcrPull?" | value_of refresh_token)
    rm -f "$RUN/form"
    [ -n "$token" ] || fail "$REGISTRY gave no token to the identity $AZURE_CLIENT_ID"
    printf '%s' "$token" | oras login --identity-token-stdin "$REGISTRY" >/dev/null || fail "$REGISTRY refused its own token"
}

free_bytes() { echo $(($(df -Pk "$CACHE" | awk 'NR == 2 {print $4}') * 1024)); }

# Bytes of all layers, by the manifest.
artifact_bytes() {
    local manifest
    manifest=$(oras manifest fetch "$ARTIFACT") || fail "$ARTIFACT: no such artifact, or no right to pull it. Is it replicated to this region yet?"
    echo "$manifest" | tr '{},' '\n\n\n' | awk -F: '/"size"/ {gsub(/[^0-9]/, "", $2); sum += $2} END {printf "%.0f", sum}'
}

# Removes digests that nobody uses until there is room for so many bytes.
make_room() {
    local other
    # Names are digests of ours; by time, the oldest first.
    # shellcheck disable=SC2012
    for other in $(ls -1tr -d "$CACHE"/sha256-*/.used 2>/dev/null); do
        [ "$(free_bytes)" -lt "$1" ] || return 0
        other=${other%/.used}
        [ "$other" != "$FOLDER" ] || continue
        (
            exec 8>"$other.lock"
            flock -n -x 8 || exit 0
            say "removing ${other##*/}, which nobody here uses"
            rm -rf "$other"
        )
    done
    [ "$(free_bytes)" -ge "$1" ] ||
        fail "$ARTIFACT takes $1 bytes and $CACHE has $(free_bytes) beside what other servers of this node use"
}

# With `room`: a cache of limited size, other digests of which may go.
fill() {
    log_in
    local bytes
    bytes=$(artifact_bytes)
    # What an interrupted pull left is not to be trusted: ORAS can't take it up again.
    rm -rf "$FOLDER"
    [ "${1:-}" != room ] || make_room $((bytes + SPARE_BYTES))
    mkdir "$FOLDER"
    : >"$FOLDER/.used"
    say "pulling $bytes bytes of $ARTIFACT"
    await oras pull --no-tty --concurrency "${CONCURRENCY:-3}" --output "$FOLDER" "$ARTIFACT" >&2
    : >"$FOLDER/.complete"
    say "all of $ARTIFACT is there"
}

hold() {
    exec 9>"$FOLDER.lock"
    while :; do
        await flock -s 9
        [ ! -e "$FOLDER/.complete" ] || break
        # Turning a lock is no single step: another may have filled it, or removed it, in between.
        await flock -x 9
        [ -e "$FOLDER/.complete" ] || fill room
    done
    touch "$FOLDER/.used"
    : >"${READY:?}"
    while :; do await sleep 3600; done
}

# With what it waits for: a pull that goes on would write under the next one's hands.
trap 'kill ${!:-} 2>/dev/null; exit 143' INT TERM
case ${1:-} in
hold) hold ;;
fill) [ -e "$FOLDER/.complete" ] || fill ;;
wait) until [ -e "$FOLDER/.complete" ]; do await sleep 5; done ;;
*) fail "usage: model_weights.sh hold|fill|wait" ;;
esac
