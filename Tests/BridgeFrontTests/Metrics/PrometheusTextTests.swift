import NIOCore
import Testing

@testable import BridgeFront

@Suite("Prometheus text") struct PrometheusTextTests {
    @Test func `a metric has its help, its kind and its samples`() {
        var text = PrometheusText()
        text.metric("a_total", .counter, "What it is.") { samples in
            samples.sample(1, ["x": "y"])
            samples.sample(2)
        }
        #expect(
            String(buffer: text.buffer)
                == "# HELP a_total What it is.\n# TYPE a_total counter\na_total{x=\"y\"} 1\na_total 2\n")
    }

    @Test func `a label value cannot leave its quotes`() {
        #expect(PrometheusText.escape("a\"b\\c\nd") == #"a\"b\\c\nd"#)
    }

    @Test func `this process uses something`() {
        let usage = ProcessUsage.current()
        #expect(usage.residentBytes > 1 << 20)
        #expect(usage.cpuSeconds > 0)
        #expect(usage.descriptors > 2)
    }
}
