// The ⓘ texts of a point cloud.

export const CLOUD_TEXTS = {
  cloud: ["The latents",
    "Each mark is one sample as the watched layer sees it; colour and shape give its class, and a hollow mark is predicted wrongly. "
    + "Drag to move (or turn), double-click to see everything; after a click the wheel and + − arrows work too. "
    + "Lasso or box chooses samples: Shift adds, Alt takes away, Escape clears."],
  "cloud-axes": ["Axes",
    "Nodes are the layer's own coordinates. PCA turns them so that the largest spread shows. t-SNE and UMAP keep neighbours together, but distances between "
    + "clusters and their sizes mean little there, so collapse cannot be judged from them and no predicted points are drawn."],
  "cloud-gamma": ["Where would this head's classes fall?",
    "For a given classifier (W, b) and γ, the loss of each class, cross-entropy + γ‖z‖², has exactly one minimum in z: its predicted collapse point, drawn as a cross. "
    + "It is computed from the head alone. γ multiplies ‖z‖² summed over the nodes; the authors' code averages over nodes, which is d times weaker at the same number. "
    + "Green marks the γ whose points lie nearest to the class means; red the γ from which some class's own point is no longer classified as that class for sure."],
};
