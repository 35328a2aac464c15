/// A classifier on its way through the steps of an arm.
public struct ExperimentState {
  /// The network as the steps so far have made it.
  public var network: any SplitClassifier
  /// The difference between it and the experiment's network.
  public var variation = BlockVariation.plain
  /// The epochs of the classifier's own training, since its last start.
  public var reports: [EpochReport] = []
  /// The time of all epochs so far.
  public var seconds = 0.0
  /// A name for the steps so far and everything that they were made from.
  public package(set) var key: String
  private var products: [ObjectIdentifier: Any] = [:]

  package init(network: any SplitClassifier, key: String) { (self.network, self.key) = (network, key) }

  /// The product that a step has left for later steps, by its type.
  public subscript<Product>(_ type: Product.Type) -> Product? {
    get { products[ObjectIdentifier(type)] as? Product }
    set { products[ObjectIdentifier(type)] = newValue }
  }
}
