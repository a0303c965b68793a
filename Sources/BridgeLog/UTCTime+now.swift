package import BridgeCore
import Glibc

extension UTCTime {
    package static func now() -> UTCTime {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UTCTime(seconds: now.tv_sec, nanoseconds: now.tv_nsec)
    }
}
