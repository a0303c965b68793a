import Testing

@testable import BridgeProcess

@Suite("Cgroup location") struct CgroupLocationTests {
    @Test func `a unified layout`() {
        let location = CgroupLocation.parse(
            cgroup: "0::/system.slice/mcp-bridge.service\n",
            mountInfo: """
                22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
                30 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,relatime shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate
                """
        )
        #expect(location?.directory == "/sys/fs/cgroup/system.slice/mcp-bridge.service")
    }

    @Test func `a hybrid layout has it beside the old hierarchies`() {
        let location = CgroupLocation.parse(
            cgroup: """
                9:name=systemd:/user.slice/session-1.scope
                4:memory:/somewhere/else
                0::/user.slice/session-1.scope
                """,
            mountInfo: """
                31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
                35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
                41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
                """
        )
        #expect(location?.directory == "/sys/fs/cgroup/unified/user.slice/session-1.scope")
    }

    @Test func `a container sees a deeper group as the root`() {
        let mountInfo = "30 24 0:26 /docker/abc /sys/fs/cgroup ro,relatime - cgroup2 cgroup rw"
        func directory(_ path: String) -> String? {
            CgroupLocation.parse(cgroup: "0::\(path)", mountInfo: mountInfo)?.directory
        }
        #expect(directory("/docker/abc") == "/sys/fs/cgroup")
        #expect(directory("/docker/abc/leaf") == "/sys/fs/cgroup/leaf")
        #expect(directory("/docker/abcd") == nil)
        #expect(directory("/") == nil)
    }

    @Test func `the root group and escaped names`() {
        let mountInfo = #"30 24 0:26 / /mnt/with\040blank\134 rw - cgroup2 cgroup2 rw"#
        #expect(CgroupLocation.parse(cgroup: "0::/", mountInfo: mountInfo)?.directory == #"/mnt/with blank\"#)
        #expect(CgroupLocation.parse(cgroup: "0::/a:b", mountInfo: mountInfo)?.directory == #"/mnt/with blank\/a:b"#)
    }

    @Test(arguments: ["", "0::", "4:memory:/x\n", "0::/gone (deleted)\n"])
    func `no group, no location`(cgroup: String) {
        #expect(CgroupLocation.parse(cgroup: cgroup, mountInfo: "41 31 0:38 / /c rw - cgroup2 cgroup2 rw") == nil)
    }

    @Test(arguments: ["", "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw", "41 31 0:38 / /c rw -", "cgroup2"])
    func `no mount, no location`(mountInfo: String) {
        #expect(CgroupLocation.parse(cgroup: "0::/x", mountInfo: mountInfo) == nil)
    }
}
