import Glibc
import Testing
import Vault
import Wire

@testable import Sync

/// What a replica holds a million of.
@Suite struct VersionTests {
  private func version(_ content: Operation.Content?, in book: inout ContentBook) -> Version {
    var random = SeededEntropy(seed: 3)
    return Version(
      id: random.identifier(), time: HybridTime(milliseconds: 1, counter: 2),
      device: random.identifier(), sequence: 3, content: content, supersedes: [], in: &book)
  }

  /// What the allocator gave for it; no module declares the function.
  private func room(of object: AnyObject) throws -> Int {
    typealias Function = @convention(c) (UnsafeMutableRawPointer) -> Int
    let symbol = try #require(dlsym(nil, "malloc_usable_size"))
    return unsafeBitCast(symbol, to: Function.self)(Unmanaged.passUnretained(object).toOpaque())
  }

  @Test func aVersionTakesAHundredBytes() throws {
    var book = ContentBook()
    let described = Operation.Content(kind: "password", label: "password", concealed: true)
    for content in [Operation.Content(text: "secret"), described, nil] {
      let version = version(content, in: &book)
      #expect(try room(of: version) <= 104)
      #expect(version.content == content)
    }
  }

  @Test func whatManySayIsHeldOnce() {
    var book = ContentBook()
    let content = Operation.Content(kind: "password", label: "password", order: "000000065536")
    #expect(book.page(of: content) === book.page(of: content))
    var other = content
    other.order = "000000131072"
    #expect(book.page(of: content) !== book.page(of: other))
    #expect(book.page(of: other).content == other)
  }

  @Test func aTextWithMoreBesideItIsNotATextAlone() {
    var content = Operation.Content(text: "secret")
    #expect(content.onlyText == "secret")
    content.others = ["later": .boolean(true)]
    #expect(content.onlyText == nil)
    var book = ContentBook()
    #expect(version(content, in: &book).content == content)
  }
}
