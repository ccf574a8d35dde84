/** What a private cluster of one machine needs to know; all of it listens on the loopback alone. */
export type CephPlace = { folder: string; clusterId: string; monitorPort: number; gatewayPort: number };

/**
 * Small, fast and forgetful: objects live in the memory of one process. A gateway that was killed is forgotten after a
 * few seconds instead of thirty, for which others would wait when they make a bucket.
 */
const SETTINGS = `
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms mon client mode = crc
ms client mode = crc
ms service mode = crc
ms async op threads = 1
mon warn on pool no redundancy = false
mon allow pool size one = true
mon data avail warn = 1
mon data avail crit = 0
mon osd min up ratio = 0
mon max pg per osd = 2000
paxos propose interval = 0.02
paxos min wait = 0.01
mgr initial modules =
osd objectstore = memstore
memstore device bytes = 2147483648
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd client watch timeout = 3
objecter tick interval = 1
osd op num shards = 1
osd op num threads per shard = 2
rgw enable usage log = false
rgw enable ops log = false
rgw enable gc threads = false
rgw enable lc threads = false
rgw enable quota threads = false
rgw run sync thread = false
rgw dynamic resharding = false
rgw override bucket index max shards = 1
rgw thread pool size = 32
`.trim();

/** The text of a `ceph.conf`. */
export const cephConfig = ({ folder, clusterId, monitorPort, gatewayPort }: CephPlace): string => `[global]
fsid = ${clusterId}
mon host = [v2:127.0.0.1:${monitorPort}/0]
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
pid file = ${folder}/run/$name.pid
log file = ${folder}/log/$name.log
crash dir = ${folder}
mon data = ${folder}/mon
mgr data = ${folder}/mgr
osd data = ${folder}/osd
rgw data = ${folder}/rgw
${SETTINGS}
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gatewayPort} tcp_nodelay=1
`;
