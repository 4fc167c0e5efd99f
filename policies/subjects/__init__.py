"""Parts of resources that rules of several packs judge: pods, images, rights, and how they are read."""
