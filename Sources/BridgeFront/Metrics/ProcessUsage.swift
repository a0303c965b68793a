import Glibc

/// What this process has used, as the kernel tells.
struct ProcessUsage {
    /// User and system time, in seconds.
    var cpuSeconds: Double
    /// Resident memory, in bytes.
    var residentBytes: Int
    /// Open descriptors.
    var descriptors: Int

    static func current() -> ProcessUsage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return ProcessUsage(
            cpuSeconds: Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime),
            residentBytes: Self.residentPages() * Int(sysconf(Int32(_SC_PAGESIZE))),
            descriptors: Self.countDescriptors()
        )
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }

    /// The second number of `/proc/self/statm`; 0 where there is no `/proc`.
    private static func residentPages() -> Int {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(file, &bytes, bytes.count)
        guard count > 0 else { return 0 }
        let numbers = bytes[..<count].split(separator: UInt8(ascii: " "))
        return numbers.count > 1 ? Int(String(decoding: numbers[1], as: UTF8.self)) ?? 0 : 0
    }

    private static func countDescriptors() -> Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return max(0, count - 3)  // ".", ".." and the directory itself
    }
}
