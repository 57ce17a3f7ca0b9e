// The worker's picture over all of the frame, with the depth of what it shows; or a gradient.
#ifdef VERTEX
in vec2 corner;
out vec2 uv;

void main() {
    uv = corner * 0.5 + 0.5;
    gl_Position = vec4(corner, 1.0, 1.0);
}
#else
in vec2 uv;
out vec4 color;
uniform sampler2D pixels;
uniform sampler2D distances;
uniform bool has_pixels;
uniform bool has_distances;
uniform float magnified;  // pixels of the frame in one of the picture
uniform vec2 slopes;      // of the outermost rays; 0 where rays are parallel
uniform vec2 depth_from;  // of clip space, by way of z: x * z + y, to be divided by w
uniform bool parallel;
uniform vec3 upper;
uniform vec3 lower;

// Cubic B-spline by four bilinear looks (Sigg and Hadwiger 2005).
vec3 smoothly(vec2 at) {
    vec2 size = vec2(textureSize(pixels, 0));
    vec2 p = at * size - 0.5, i = floor(p), f = p - i;
    vec2 w0 = (1.0 - f) * (1.0 - f) * (1.0 - f) / 6.0;
    vec2 w1 = (4.0 - 6.0 * f * f + 3.0 * f * f * f) / 6.0;
    vec2 w3 = f * f * f / 6.0;
    vec2 w2 = 1.0 - w0 - w1 - w3;
    vec2 left = w0 + w1, right = w2 + w3;
    vec2 a = (i - 0.5 + w1 / left) / size, b = (i + 1.5 + w3 / right) / size;
    vec3 upper = left.x * texture(pixels, a).rgb + right.x * texture(pixels, vec2(b.x, a.y)).rgb;
    vec3 lower = left.x * texture(pixels, vec2(a.x, b.y)).rgb + right.x * texture(pixels, b).rgb;
    return left.y * upper + right.y * lower;
}

void main() {
    gl_FragDepth = 1.0;
    if (!has_pixels) {
        color = vec4(mix(upper, lower, uv.y), 1.0);
        return;
    }
    color = vec4(magnified > 1.5 ? smoothly(uv) : texture(pixels, uv).rgb, 1.0);
    if (has_distances) {
        float t = texture(distances, uv).r;
        if (t < 1e9) {
            float z = t / length(vec3((2.0 * uv - 1.0) * slopes, 1.0));
            float clip = depth_from.x * z + depth_from.y;
            gl_FragDepth = 0.5 + 0.5 * (parallel ? clip : clip / z);
        }
    }
}
#endif
