/** Where a picture is had by size, on every runtime. */
export const IMAGE_PATH = "/v1/media/public/:publicId/image";
