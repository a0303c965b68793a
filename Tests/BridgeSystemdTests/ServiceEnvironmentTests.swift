import BridgeSystemd
import Glibc
import Testing

@Suite("What systemd puts into the environment")
struct ServiceEnvironmentTests {
    @Test func `the watchdog's interval is in microseconds`() {
        #expect(Watchdog.interval(environment: ["WATCHDOG_USEC": "30000000"], processID: 7) == .seconds(30))
        #expect(
            Watchdog.interval(environment: ["WATCHDOG_USEC": "1", "WATCHDOG_PID": "7"], processID: 7)
                == .microseconds(1))
    }

    @Test(arguments: [
        [:], ["WATCHDOG_USEC": "0"], ["WATCHDOG_USEC": "-5"], ["WATCHDOG_USEC": "soon"], ["WATCHDOG_USEC": ""],
        ["WATCHDOG_USEC": "18446744073709551615"],
        ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "8"], ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "x"],
    ])
    func `without a watchdog on this process there is no interval`(environment: [String: String]) {
        #expect(Watchdog.interval(environment: environment, processID: 7) == nil)
    }

    @Test func `of several directories the first counts`() {
        #expect(SystemdDirectories.runtime(environment: ["RUNTIME_DIRECTORY": "/run/a:/run/b"]) == "/run/a")
        #expect(SystemdDirectories.runtime(environment: ["RUNTIME_DIRECTORY": "relative:/run/a"]) == "/run/a")
        for nothing in [[:], ["RUNTIME_DIRECTORY": ""], ["RUNTIME_DIRECTORY": "relative"]] {
            #expect(SystemdDirectories.runtime(environment: nothing) == nil)
        }
    }

    @Test(arguments: [("500000", 500), ("999", 0), ("1000", 1), ("1500000", 1_500)])
    func `a watchdog's interval below a second is no second less`(written: String, milliseconds: Int) {
        let interval = Watchdog.interval(environment: ["WATCHDOG_USEC": written], processID: 7)
        #expect(interval.map { Int($0 / .milliseconds(1)) } == milliseconds)
        #expect(interval.map { $0 > .zero } == true)
    }

    @Test func `standard error is the journal's only when the stream is the same file`() {
        #expect(Journal.names("8:1234", device: 8, inode: 1234))
        for stream in ["8:1235", "9:1234", "8", "8:1234:1", "", ":", "0x8:1234"] {
            #expect(!Journal.names(stream, device: 8, inode: 1234))
        }
        #expect(!Journal.isStderrConnected(environment: [:]))
        var status = stat()
        fstat(STDERR_FILENO, &status)
        #expect(Journal.isStderrConnected(environment: ["JOURNAL_STREAM": "\(status.st_dev):\(status.st_ino)"]))
        #expect(!Journal.isStderrConnected(environment: ["JOURNAL_STREAM": "\(status.st_dev):\(status.st_ino + 1)"]))
    }
}
